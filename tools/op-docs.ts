// A step of `npm run build`. A module of src/tensor/families exports its ops by taking `ops` apart, and the compiler writes each of them to the
// declarations without a comment: here each gets back the documentation and tags that its property of `ops` has, which are the op's own.
import { readdirSync, realpathSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/** The text of a family's declarations with the documentation of each op before its constant. Throws where an op has none. */
export function withOpDocs(program: ts.Program, path: string): string {
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(path)!;
  const ops = checker
    .getExportsOfModule(checker.getSymbolAtLocation(file)!)
    .find((symbol) => symbol.name === "ops") as ts.Symbol;
  const type = checker.getTypeOfSymbol(ops);
  const declare = (declaration: ts.VariableDeclaration) => {
    const name = declaration.name.getText(file);
    const op = type.getProperty(name);
    const text = ts.displayPartsToString(op?.getDocumentationComment(checker));
    if (!text) throw new Error(`no documentation of ${name} was found`);
    const tags = op!.getJsDocTags(checker).map((tag) => `\n@${tag.name} ${ts.displayPartsToString(tag.text)}`);
    return `/** ${[text, ...tags].join("").replaceAll("\n", "\n * ")} */\nexport declare const ${declaration.getText(file)};`;
  };
  const isListOfOps = (statement: ts.Statement): statement is ts.VariableStatement =>
    ts.isVariableStatement(statement) && statement.declarationList.declarations[0].name.getText(file) !== "ops";
  return file.statements
    .map((statement) =>
      isListOfOps(statement)
        ? `\n${statement.declarationList.declarations.map(declare).join("\n")}`
        : statement.getFullText(file),
    )
    .join("")
    .concat("\n");
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const folder = "dist/src/tensor/families/";
  const paths = readdirSync(folder).flatMap((file) => (file.endsWith(".d.ts") ? folder + file : []));
  const options = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext };
  const program = ts.createProgram(paths, { ...options, target: ts.ScriptTarget.ES2022 });
  for (const path of paths) writeFileSync(path, withOpDocs(program, path));
}
