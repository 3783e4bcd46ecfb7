// What an editor shows over a name: TypeScript's language service over this project, and over the declarations that `npm run build` makes of it.
import ts from "typescript";
import { withOpDocs } from "../../tools/op-docs.ts";
import { root } from "./sources.ts";

/** An editor with the project open, and files beside it that exist here alone. */
class Editor {
  readonly #files = new Map<string, { readonly text: string; readonly version: number }>();
  /** What compilers of their own have parsed. */
  readonly #parsed = new Map<string, ts.SourceFile>();
  #version = 0;
  readonly service: ts.LanguageService;

  constructor() {
    const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent(config, { ...ts.sys, readDirectory: () => [] }, root);
    const read = (path: string) => this.#files.get(path)?.text ?? ts.sys.readFile(path);
    this.service = ts.createLanguageService({
      getCompilationSettings: () => options,
      // Without it every question looks at every file for changes.
      getProjectVersion: () => String(this.#version),
      getScriptFileNames: () => [...this.#files.keys()],
      getScriptVersion: (path) => String(this.#files.get(path)?.version ?? 0),
      getScriptSnapshot: (path) => {
        const text = read(path);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      getCurrentDirectory: () => root,
      getDefaultLibFileName: ts.getDefaultLibFilePath,
      fileExists: (path) => this.#files.has(path) || ts.sys.fileExists(path),
      readFile: read,
    });
  }

  write(path: string, text: string): void {
    this.#version++;
    this.#files.set(path, { text, version: (this.#files.get(path)?.version ?? 0) + 1 });
  }

  get program(): ts.Program {
    return this.service.getProgram()!;
  }

  /** What the compiler says of a file that imports the package, and of its declarations, one after the other, in a project that has no other types and no later library than ES2022. */
  *problems(entry: string, lib = ["lib.es2022.d.ts", "lib.dom.d.ts"]): Generator<string> {
    const path = `${root}imports.ts`;
    this.write(path, `import * as s from "${entry}";\nexport const shape: readonly number[] = s.tensor([1]).shape;\n`);
    const { program } = this;
    const host = ts.createCompilerHost(program.getCompilerOptions());
    host.fileExists = (file) => this.#files.has(file) || ts.sys.fileExists(file);
    host.readFile = (file) => this.#files.get(file)?.text ?? ts.sys.readFile(file);
    host.directoryExists = undefined;
    const onDisk = host.getSourceFile;
    host.getSourceFile = (file, how) => {
      const own = this.#files.get(file);
      const key = `${file} ${own?.version}`;
      const parsed = this.#parsed.get(key) ?? (own ? ts.createSourceFile(file, own.text, how) : onDisk(file, how));
      if (parsed) this.#parsed.set(key, parsed);
      return parsed;
    };
    const options = { ...program.getCompilerOptions(), lib, types: [], skipLibCheck: false };
    const own = ts.createProgram([path], options, host);
    // `#hash` and its like are found by this package.json, which has them among the sources; the built one has them among the declarations.
    const files = own
      .getSourceFiles()
      .filter(({ fileName }) => fileName === path || fileName.startsWith(`${root}built/`));
    for (const file of files)
      for (const { messageText } of ts.getPreEmitDiagnostics(own, file))
        yield `${file.fileName.slice(root.length)}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
  }

  /** What hovering over the last name of each expression shows, where `entry` is the package. */
  hover(entry: string, expressions: readonly string[]): Map<string, string> {
    const path = `${root}hover.ts`;
    let text = `import * as s from "${entry}";\nimport { ${this.exportsOf(entry).join(", ")} } from "${entry}";\nlet x!: s.Tensor;\n`;
    const places = expressions.map((expression) => {
      text += `${expression};\n`;
      return text.length - 2 - (expression.endsWith(")") ? expression.length - expression.indexOf("(") : 0) - 1;
    });
    this.write(path, text);
    return new Map(
      places.map((place, i) => {
        const info = this.service.getQuickInfoAtPosition(path, place);
        return [expressions[i], ts.displayPartsToString(info?.documentation)];
      }),
    );
  }

  #exports(entry: string): { readonly checker: ts.TypeChecker; readonly symbols: readonly ts.Symbol[] } {
    const path = `${root}names.ts`;
    this.write(path, `export * from "${entry}";\n`);
    const checker = this.program.getTypeChecker();
    const module = checker.getSymbolAtLocation(this.program.getSourceFile(path)!)!;
    return { checker, symbols: checker.getExportsOfModule(module) };
  }

  readonly #names = new Map<string, string[]>();

  /** Names of the values that a package exports. */
  exportsOf(entry: string): string[] {
    const names =
      this.#names.get(entry) ??
      this.membersOf(entry)
        .filter(({ members }) => !members)
        .map(({ name }) => name);
    this.#names.set(entry, names);
    return names;
  }

  /** The values that a package exports; those of namespaces with their members. */
  membersOf(entry: string): { readonly name: string; readonly members?: string[] }[] {
    const { checker, symbols } = this.#exports(entry);
    const resolve = (symbol: ts.Symbol) =>
      symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const isValue = (symbol: ts.Symbol) => (resolve(symbol).flags & ts.SymbolFlags.Value) !== 0;
    return symbols.filter(isValue).map((symbol) => {
      const { name } = symbol;
      const target = resolve(symbol);
      if (!(target.flags & ts.SymbolFlags.ValueModule)) return { name };
      const members = checker.getExportsOfModule(target).filter(isValue);
      return { name, members: members.map((member) => member.name) };
    });
  }
}

/** The project's editor with both: the sources as "./src/index.ts", the built package's declarations as "./built/src/index.ts". */
export function openEditor(): Editor {
  const editor = new Editor();
  editor.write(`${root}open.ts`, 'import "./src/index.ts";\n');
  const sources = editor.program.getSourceFiles().filter(({ fileName, isDeclarationFile }) => {
    return fileName.startsWith(root) && !isDeclarationFile && !fileName.endsWith("/open.ts");
  });
  const declarations = sources.map(({ fileName }) => ({
    path: `${root}built/${fileName.slice(root.length).replace(/\.ts$/, ".d.ts")}`,
    text: editor.service.getEmitOutput(fileName, true, true).outputFiles[0].text,
  }));
  for (const { path, text } of declarations) editor.write(path, text);
  const { program } = editor;
  for (const { path } of declarations)
    if (path.includes("/tensor/families/")) editor.write(path, withOpDocs(program, path));
  return editor;
}
