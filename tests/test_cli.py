"""The command line as a user meets it: targets, inputs, outputs, exit codes, messages."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from serving import built_viewer

import visuai
from visuai.cli import main
from visuai.cli.inputs import make_inputs, read_input
from visuai.cli.target import read_arguments, resolve
from visuai.errors import InputError, TargetError

__all__ = ["built_viewer"]
pytestmark = pytest.mark.usefixtures("built_viewer")

NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, width=8, classes=2):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, width), nn.ReLU())
        self.head = nn.Linear(width, classes)

    def forward(self, x, scale=None):
        x = self.head(self.body(x))
        return x if scale is None else x * scale

class Needy(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc = nn.Linear(width, 1)

    def forward(self, x):
        return self.fc(x)

class Broken(nn.Module):
    def forward(self, x):
        return x @ torch.zeros(5, 5)

class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.sides = nn.ModuleList(nn.Linear(4, 4) for _ in range(4))
        self.gate = nn.Linear(4, 4)

    def forward(self, x):
        chosen = self.gate(x).argmax(-1)
        for number, side in enumerate(self.sides):
            if (chosen == number).any():
                x = side(x)
        return x

class Nested:
    net = Net()

def make(width=3):
    return Net(width)

def function(x):
    return torch.relu(x) + 1

def explode():
    raise RuntimeError("no such luck")

def nothing():
    return None

net = Net()
weights = net.state_dict()
"""


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "my_net.py"
    path.write_text(NET)
    return path


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]):
    def call(*words: str | Path) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


class TestTarget:
    @pytest.mark.parametrize("name", ["net", "Net", "make", "Nested.net"])
    def test_instance_class_factory_and_nested(self, net: Path, name: str) -> None:
        assert type(resolve(f"{net}:{name}", {})).__name__ == "Net"

    def test_arguments_reach_the_class(self, net: Path) -> None:
        made = resolve(f"{net}:Net", read_arguments(["width=5", "classes=7"]))
        assert made.head.weight.shape == (7, 5)

    def test_a_function_that_needs_inputs_is_the_network(self, net: Path) -> None:
        assert resolve(f"{net}:function", {})(torch.tensor([-1.0])).item() == 1

    def test_package(self) -> None:
        made = resolve("torchvision.models:resnet18", {"num_classes": 3})
        assert made.fc.out_features == 3

    @pytest.mark.parametrize(
        ("target", "message"),
        [
            ("resnet18", "is none of"),
            ("my_net.py", "my_net.py:Net, "),
            (".", "is a directory"),
            ("my_net.py:weights", "is a mapping"),
            ("no_such_package_xyz:Net", "No module named"),
            ("my_net:Nett", "Did you mean 'Net'"),
            ("elsewhere.py:Net", "no file"),
            ("gone.onnx", "no file"),
            ("gone.json.gz", "no file"),
            ("my_net.py:Needy", "--arg width="),
            ("my_net.py:explode", r"RuntimeError: no such luck at .*my_net.py:\d+"),
            ("my_net.py:nothing", "returned None"),
        ],
    )
    def test_wrong_target_is_told(self, net: Path, target: str, message: str) -> None:
        with pytest.raises(TargetError, match=message):
            resolve(target, {})

    def test_syntax_error_in_the_file_is_told(self, tmp_path: Path) -> None:
        path = tmp_path / "bad.py"
        path.write_text("def (:\n")
        with pytest.raises(TargetError, match="SyntaxError"):
            resolve(f"{path}:Net", {})

    def test_a_script_that_ends_python_is_told(self, tmp_path: Path) -> None:
        path = tmp_path / "train.py"
        path.write_text("import sys\nsys.exit(3)\n")
        with pytest.raises(TargetError, match=r"sys.exit\(3\)"):
            resolve(f"{path}:Net", {})

    def test_a_misspelt_argument_is_told_beside_the_missing_one(self, net: Path) -> None:
        with pytest.raises(TargetError, match=r"add --arg width=\.\.\. \(given: wdth\)"):
            resolve(f"{net}:Needy", {"wdth": 3})

    def test_an_argument_that_is_not_taken_is_told_with_those_that_are(self, net: Path) -> None:
        with pytest.raises(TargetError, match=r"no argument 'widht' .*did you mean 'width'\?"):
            resolve(f"{net}:Needy", {"width": 2, "widht": 3})
        with pytest.raises(TargetError, match=r"no argument 'zzz' .*it takes width"):
            resolve(f"{net}:Needy", {"width": 2, "zzz": 3})

    def test_weights_are_no_network(self, net: Path) -> None:
        with pytest.raises(TargetError, match="Name what makes the network"):
            resolve("checkpoint.pth", {})

    def test_arguments_of_an_instance_are_refused(self, net: Path) -> None:
        with pytest.raises(TargetError, match="no use"):
            resolve(f"{net}:net", {"width": 3})


class TestInputs:
    def test_none(self) -> None:
        assert make_inputs([]) == (None, None)

    def test_positional_keyword_dtype_scalar(self) -> None:
        args, kwargs = make_inputs(["1x3x8x8", "ids=2x5:int64", "scalar", "mask=4:bool"])
        assert args is not None
        assert kwargs is not None
        assert [tuple(each.shape) for each in args] == [(1, 3, 8, 8), ()]
        assert (kwargs["ids"].shape, kwargs["ids"].dtype) == ((2, 5), torch.int64)
        assert kwargs["mask"].dtype == torch.bool

    @pytest.mark.parametrize("text", ["", "3x", "axb", "1x3:", "=3", "1 3", "-1x3", "1x3x", "x"])
    def test_wrong_form_is_told(self, text: str) -> None:
        with pytest.raises(InputError, match="expected"):
            read_input(text)

    @pytest.mark.parametrize("texts", [["3:float31"], ["a=1", "a=2"], ["3:nn"]])
    def test_wrong_content_is_told(self, texts: list[str]) -> None:
        with pytest.raises(InputError):
            make_inputs(texts)

    @given(
        st.lists(st.integers(0, 999), min_size=1, max_size=6),
        st.sampled_from(["float32", "int64", "bool"]),
        st.none() | st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True),
    )
    def test_every_shape_reads_back(self, shape: list[int], dtype: str, name: str | None) -> None:
        text = f"{'' if name is None else name + '='}{'x'.join(map(str, shape))}:{dtype}"
        assert read_input(text) == (name, tuple(shape), dtype)


class TestBuild:
    def test_text_on_standard_output(self, net: Path, run) -> None:
        code, out, err = run("build", f"{net}:Net", "--input", "1x4")
        assert code == 0
        assert "head" in out
        assert "parameters" in err

    def test_quiet(self, net: Path, run) -> None:
        code, out, err = run("build", f"{net}:Net", "--input", "1x4", "-q")
        assert (code, err) == (0, "")
        assert out

    @pytest.mark.parametrize(
        ("name", "start"),
        [
            ("a.html", "<!doctype html"),
            ("a.svg", "<svg"),
            ("a.dot", "digraph"),
            ("a.mmd", ""),
            ("a.txt", ""),
        ],
    )
    def test_the_suffix_names_the_renderer(self, net: Path, run, name: str, start: str) -> None:
        code, out, err = run("build", f"{net}:Net", "--input", "1x4", "-o", name)
        assert (code, out) == (0, "")
        assert name in err
        written = Path(name).read_text(encoding="utf-8")
        assert start in written[:500].lower()
        assert ("visuai-wire" if name == "a.html" else "head") in written

    def test_renderer_by_name(self, net: Path, run) -> None:
        words = ("--renderer", "threejs", "-o", "scene.json", "--input", "1x4")
        assert run("build", f"{net}:Net", *words)[0] == 0
        assert json.loads(Path("scene.json").read_text())["metadata"]["type"] == "Object"

    def test_saved_topology_is_a_target(self, net: Path, run) -> None:
        assert run("build", f"{net}:Net", "--input", "1x4", "-o", "net.json.gz")[0] == 0
        saved = visuai.Topology.load("net.json.gz")
        assert saved.num_parameters == 4 * 8 + 8 + 8 * 2 + 2
        code, out, err = run("build", "net.json.gz", "--renderer", "dot")
        assert code == 0
        assert out.startswith("digraph")
        # Not how long a build took that was done elsewhere.
        assert "read from net.json.gz" in err
        assert " s\n" not in err

    def test_keyword_inputs(self, net: Path, run) -> None:
        words = ("--input", "1x4", "--input", "scale=2")
        assert "mul" in run("build", f"{net}:Net", *words)[1]

    def test_passes_and_capture(self, net: Path, run) -> None:
        words = ("--passes", "export,to-dict,build-hierarchy", "--capture", "eager")
        code, _, err = run("build", f"{net}:Net", "--input", "1x4", *words)
        assert code == 0
        assert "route eager" in err

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["--passes", "no-such-pass"], "no-such-pass"),
            (["--capture", "no-such-route"], "no-such-route"),
            (["--renderer", "no-such-renderer"], "no-such-renderer"),
            (["-o", "net.bmp"], "net.bmp"),
            (["-o", "no/such/folder/net.svg"], "no/such/folder"),
            (["--option", "no_such_option=1"], "no_such_option"),
            (["--input", "1xfour"], "1xfour"),
        ],
    )
    def test_an_error_is_one_paragraph(self, net: Path, run, words, message: str) -> None:
        given = [] if "--input" in words else ["--input", "1x4"]
        code, out, err = run("build", f"{net}:Net", *given, *words)
        assert (code, out) == (1, "")
        assert message in err
        assert "Traceback" not in err
        assert err.startswith("visuai: ")

    def test_the_models_own_error_is_told(self, net: Path, run) -> None:
        code, _, err = run("build", f"{net}:Broken", "--input", "1x4")
        assert code == 1
        assert "my_net.py" in err
        assert "Traceback" not in err

    def test_the_wrong_type_of_input_is_advised_on(self, net: Path, run) -> None:
        net.write_text("import torch\nnet = torch.nn.Embedding(9, 4)\n")
        _, _, err = run("build", f"{net}:net", "--input", "1x4")
        assert "--input ids=1x128:int64" in err
        assert "attribute" not in err  # which is for those who can catch the error

    def test_exporters_leave_the_terminal_alone(self, net: Path, run) -> None:
        code, out, err = run("build", f"{net}:Branches")
        assert (code, out) == (1, "")
        assert err.startswith("visuai: No route could capture Branches.")
        assert "def forward" not in err
        assert len(err.splitlines()) == 7

    def test_debug_shows_the_traceback(self, net: Path) -> None:
        with pytest.raises(TargetError):
            main(["build", f"{net}:Nett", "--debug"])

    def test_names_do_not_steer_the_terminal(self, run) -> None:
        _, _, err = run("build", "pkg\x1b[31m:Net\x07")
        assert "\x1b" not in err
        assert "\x07" not in err

    def test_hostile_module_names(self, tmp_path: Path, run, monkeypatch) -> None:
        monkeypatch.chdir(tmp_path)
        Path("hostile.py").write_text(
            "from torch import nn\nnet = nn.Sequential()\n"
            "net.add_module('[bold]<script>\"\\n\\x1b[2J', nn.Linear(4, 2))\n"
        )
        for name in ("a.html", "a.svg", "a.txt"):
            assert run("build", "hostile.py:net", "--input", "1x4", "-o", name)[0] == 0
            assert "\x1b" not in Path(name).read_text(encoding="utf-8")
        code, out, _ = run("summary", "hostile.py:net", "--input", "1x4")
        assert code == 0
        assert "\x1b" not in out
        assert "script" in out


def test_summary(net: Path, run) -> None:
    code, out, _ = run("summary", f"{net}:Net", "--input", "1x4")
    assert code == 0
    for word in ("Linear", "ReLU", "head", "58"):
        assert word in out
    shallow = run("summary", f"{net}:Net", "--input", "1x4", "--depth", "1")[1]
    assert "ReLU" not in shallow


class TestDiff:
    def test_same(self, net: Path, run) -> None:
        assert run("diff", f"{net}:net", f"{net}:Net", "--input", "1x4")[0] == 0

    def test_different(self, net: Path, run) -> None:
        code, out, _ = run("diff", f"{net}:net", f"{net}:make", "--input", "1x4")
        assert code == 1
        assert "head" in out

    def test_trouble(self, net: Path, run) -> None:
        assert run("diff", f"{net}:net", "gone.json.gz")[0] == 2


def test_a_network_whose_branches_hang_on_weights_is_the_same_each_time(net: Path, run) -> None:
    code, out, _ = run("diff", f"{net}:Branches", f"{net}:Branches", "--input", "8x4")
    assert (code, out) == (0, "No difference.\n")


def test_without_torch_it_says_what_is_missing() -> None:
    code = (
        "import sys; sys.modules['torch'] = None; from visuai.cli import main; "
        "sys.exit(main(['metrics']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (1, "")
    assert "needs torch" in done.stderr
    assert "pip install torch" in done.stderr


def test_metrics(run) -> None:
    words = ("metrics", "--models", "ThreeLayerMLP", "--repeat", "1", "--json")
    code, out, _ = run(*words)
    assert code == 0
    (row,) = json.loads(out)
    assert row["parameters"] == 3072 * 512 + 512 + 512 * 512 + 512 + 512 * 10 + 10
    assert row["flops"] == pytest.approx(2 * (3072 * 512 + 512 * 512 + 512 * 10), rel=0.01)
    assert next(iter(row["passes"])) == "export"
    code, out, _ = run(*words[:-1])
    assert code == 0
    assert "ThreeLayerMLP" in out


def test_the_table_of_metrics_fits_a_narrow_terminal() -> None:
    from rich.console import Console

    from visuai.metrics import Row, Timing, table

    timing = Timing((0.1541,))
    row = Row(
        model="shufflenet_v2_x2_0",
        nodes=231,
        parameters=1,
        flops=1,
        saved_bytes=6680,
        visuai=timing,
        passes={"export": 0.0448, "to-dict": 0.01},
        meta_forward=timing,
        tensorboard=timing,
    )
    console = Console(width=80)
    with console.capture() as captured:
        console.print(table([row, row], passes=False))
    text = captured.get()
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert "export" not in text


def test_unknown_network_is_told(run) -> None:
    code, _, err = run("metrics", "--models", "resnet19")
    assert code == 1
    assert "resnet19" in err


def test_usage_errors_exit_with_2(run) -> None:
    assert run("build")[0] == 2
    assert run("no-such-command")[0] == 2
    assert run("build", "a:b", "--depth", "-1")[0] == 2


def test_what_the_script_prints_stays_out_of_the_drawing(net: Path, run) -> None:
    net.write_text(f"print('epoch 1')\n{NET}")
    _, out, err = run("build", f"{net}:net", "--input", "1x4", "--renderer", "svg")
    assert out.startswith("<svg")
    assert "epoch 1" in err


def test_a_drawing_that_cannot_be_written_is_told_before_the_code_runs(net: Path, run) -> None:
    net.write_text("raise SystemExit('ran')")
    for output in ("net.png", "nowhere/net.svg"):
        code, _, err = run("build", f"{net}:net", "-o", output)
        assert code == 1
        assert "ran" not in err
        assert output in err


def test_eval_mode_and_a_list_of_tensors(net: Path, run) -> None:
    net.write_text(
        "import torch\n"
        "class Net(torch.nn.Module):\n"
        "    def forward(self, xs):\n"
        "        assert not self.training, 'in training mode'\n"
        "        return xs[0].sum() + xs[1].sum()\n"
    )
    words = ("build", f"{net}:Net", "--input", "[2x3+scalar]")
    code, _, err = run(*words)
    assert code == 1
    assert "in training mode" in err
    assert run(*words, "--eval")[0] == 0


def test_missing_inputs_are_asked_for_in_words_of_the_command_line(net: Path, run) -> None:
    code, _, err = run("build", f"{net}:Net", "--input", "y=1x4")
    assert code == 1
    assert "--input" in err


def test_version(run) -> None:
    assert run("--version")[1] == f"visuai {visuai.__version__}\n"


def test_module_runs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "visuai", "--help"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0
    assert "summary" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_is_quiet(tmp_path: Path) -> None:
    path = tmp_path / "slow.py"
    path.write_text("import sys, time\nprint('here', flush=True)\ntime.sleep(60)\n")
    with subprocess.Popen(
        [sys.executable, "-m", "visuai", "build", f"{path}:net"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stderr.readline() == "here\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert "Traceback" not in process.stderr.read()


def visuai_process(*words: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "visuai", *words]
    return subprocess.run(command, stderr=subprocess.PIPE, timeout=120, **options)


@pytest.fixture(scope="module")
def two_saved(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A topology twice, and one that differs, as saved files."""
    folder = tmp_path_factory.mktemp("saved")
    paths = [str(folder / name) for name in ("a.json", "b.json.gz", "wider.json")]
    for path, width in zip(paths, (4, 4, 8), strict=True):
        net = torch.nn.Sequential(torch.nn.Linear(4, width), torch.nn.ReLU())
        visuai.build(net, torch.zeros(1, 4)).save(path)
    return paths


def test_a_pipe_that_nobody_reads_does_not_change_the_answer(two_saved: list[str]) -> None:
    same, again, wider = two_saved
    for words, code in (
        (("summary", same), 0),
        (("build", same, "--renderer", "html"), 0),
        (("diff", same, again), 0),
        (("diff", same, wider), 1),
    ):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "wb") as pipe:
            done = visuai_process(*words, "-q", stdout=pipe)
        assert (done.returncode, done.stderr) == (code, b""), words


def test_output_that_cannot_say_all_characters_gets_the_others(two_saved: list[str]) -> None:
    for encoding in ("latin-1", "ascii"):
        for words, code in ((("summary", two_saved[0]), 0), (("diff", *two_saved[::2]), 1)):
            done = visuai_process(
                *words,
                "-q",
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONIOENCODING": encoding},
            )
            assert (done.returncode, done.stderr) == (code, b"")
            assert "Linear" in done.stdout.decode(encoding) or code


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_output_that_is_full_or_closed_is_told(two_saved: list[str]) -> None:
    for words in (("summary",), ("build", "--renderer", "html")):
        with open("/dev/full", "wb") as full:
            done = visuai_process(*words, two_saved[0], "-q", stdout=full)
        assert done.returncode == 1
        assert done.stderr.startswith(b"visuai: Cannot write to standard output: No space left")
    done = visuai_process("summary", two_saved[0], "-q", preexec_fn=lambda: os.close(1))
    assert (done.returncode, done.stderr[:27]) == (1, b"visuai: Standard output is ")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("summary", "{saved}", "--input", "1x3", "--eval"), "--input and --eval have no use"),
        (("build", "{saved}", "--passes", "export"), "--passes has no use"),
        (("summary", "{net}:make_needing"), "call it with --arg width=..."),
        (("summary", "{net}:NUMBER"), "of type int, which is no network"),
        (("summary", "{net}:Net", "--passes", ""), "needs at least one pass"),
        (("metrics", "--models", ""), "Unknown networks"),
    ],
    ids=["options", "passes", "factory", "number", "no passes", "no models"],
)
def test_slips_are_told_with_what_to_do(
    words: tuple[str, ...], told: str, net: Path, two_saved: list[str], run
) -> None:
    with net.open("a") as file:
        file.write("\nNUMBER = 3\ndef make_needing(width):\n    return Net(width)\n")
    code, _, err = run(*(word.format(saved=two_saved[0], net=net) for word in words))
    assert code == 1
    assert told in err
    assert "--eval puts" not in err
