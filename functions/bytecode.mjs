// Compiles Python modules to bytecode, on the CPython of the npm package pyodide.
// Standard input: JSON, source text by file name. Standard output: JSON, bytecode in base64 by
// file name. Unchecked hashes: the runtime then reads no source, and the same source always gives
// the same bytes.
import { text } from "node:stream/consumers";
import { loadPyodide } from "pyodide";

const COMPILE = `
import base64, json, pathlib, py_compile

def compiled(sources):
    root, result = pathlib.Path("/tmp/compiled"), {}
    for name, text in sorted(json.loads(sources).items()):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        # dfile: the path in the bytecode must not depend on where it was compiled.
        bytecode = py_compile.compile(
            str(file), dfile=name, doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
        content = pathlib.Path(bytecode).read_bytes()
        result[str(pathlib.Path(bytecode).relative_to(root))] = base64.b64encode(content).decode()
    return json.dumps(result)

compiled
`;

try {
  const pyodide = await loadPyodide();
  process.stdout.write(pyodide.runPython(COMPILE)(await text(process.stdin)));
} catch (error) {
  process.stderr.write(error.message);
  process.exitCode = 1;
}
