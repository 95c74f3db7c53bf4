/** The bundle: starts by itself on a page that has a place for it, and is a widget elsewhere. */

import "./shell/style/index.css";
import { mount } from "./shell/mount";
import { render } from "./shell/widget";

export { mount };

const place = document.getElementById("visuai");
if (place) {
  const inline = document.getElementById("visuai-wire");
  mount(
    place,
    inline ? { kind: "base64", text: inline.textContent ?? "" } : { kind: "server", api: "api/" },
    { hints: { ...place.dataset }, wholePage: true },
  );
}

export default { render };
