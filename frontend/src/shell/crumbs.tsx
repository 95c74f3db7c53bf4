/** Where one is: the modules around what is selected, or else pointed at. */

import { ancestors } from "../view/opening";
import { useBench, useView } from "./bench";
import { Name } from "./name";
import { rowName } from "./rows";

const MOST = 6;

/** Shows the way from the root to an item; each step goes there. */
export function Crumbs() {
  const { view, network } = useBench();
  const item = useView((state) => state.selected ?? state.hovered);
  if (item === null) return null;
  const around = ancestors(network, item).reverse();
  const steps = [...around, item];
  const cut = steps.length > MOST ? [steps[0], -1, ...steps.slice(2 - MOST)] : steps;
  return (
    <nav className="vz-crumbs" aria-label="Where this is">
      <ol>
        {cut.map((step) => (
          <li key={step}>
            {step < 0 ? (
              <span>…</span>
            ) : (
              <button
                type="button"
                aria-current={step === item ? "location" : undefined}
                onClick={() =>
                  step === network.root ? view.actions.fly(null) : view.actions.reveal(step)
                }
              >
                <Name
                  text={step === network.root ? network.name : rowName(network, step)}
                  mono={step !== network.root}
                />
              </button>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}
