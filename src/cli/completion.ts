// `seedgrad completion bash|zsh`: a script for the shell, made of the command line's own description, so that it knows every command and flag.
import type { Command } from "commander";
import { backendNames } from "../backend/load.ts";
import { ConfigError } from "../core/errors.ts";
import { families } from "../train/config/families.ts";
import type { Outcome } from "./command.ts";
import { schedulers } from "./emit.ts";
import { plural } from "./list.ts";

const shells = ["bash", "zsh"];

/** The script for a shell. Throws ConfigError for one that is none of these. */
export async function completion(program: Command, shell: string): Promise<Outcome> {
  if (!shells.includes(shell)) {
    throw new ConfigError({ where: "completion", problem: "no such shell", got: shell, expected: shells.join(" or ") });
  }
  const script = bashScript(program);
  // zsh runs bash's completions.
  const lines =
    shell === "zsh"
      ? ["autoload -U +X compinit && compinit", "autoload -U +X bashcompinit && bashcompinit", ...script]
      : script;
  return { code: 0, json: { script: lines.join("\n") }, lines };
}

/** Words that may follow a command: its own commands, its flags; files are the shell's to find. */
function wordsOf(command: Command): string {
  const flags = command.options.flatMap(({ long }) => long ?? []);
  const names = command.commands.map((inner) => inner.name());
  const things = command.name() === "list" ? Object.keys(families).map(plural) : [];
  return [...names, ...things, ...flags, "--help"].join(" ");
}

function bashScript(program: Command): string[] {
  const inner = program.commands.flatMap((command) =>
    command.commands.map((sub) => [`${command.name()} ${sub.name()}`, sub] as const),
  );
  const cases = [...program.commands.map((command) => [command.name(), command] as const), ...inner];
  return [
    "_seedgrad() {",
    `  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} words`,
    `  case "\${COMP_WORDS[1]} \${COMP_WORDS[2]}" in`,
    ...inner.map(([name, command]) => `    "${name}") words="${wordsOf(command)}" ;;`),
    `    *) case "\${COMP_WORDS[1]}" in`,
    ...cases
      .filter(([name]) => !name.includes(" "))
      .map(([name, command]) => `      ${name}) words="${wordsOf(command)}" ;;`),
    "    esac ;;",
    "  esac",
    `  if [ "$COMP_CWORD" = 1 ]; then words="${program.commands.map((command) => command.name()).join(" ")} --help --version"; fi`,
    `  if [ "$before" = --backend ]; then words="${backendNames.join(" ")}"; fi`,
    `  if [ "$before" = --emit ]; then words="${schedulers.join(" ")}"; fi`,
    '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
    "}",
    "complete -o default -F _seedgrad seedgrad",
  ];
}
