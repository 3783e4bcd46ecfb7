// Text for a terminal: names and values come out of files, which may be a stranger's.

/** What a terminal would take for a command is shown as text. Line ends and tabs stay. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return `\\u${code.padStart(4, "0")}`;
  });
}

/** Cut short beyond so many characters, saying how many there are. */
export const clipped = (text: string, longest: number): string =>
  text.length <= longest ? text : `${text.slice(0, longest)}… (${text.length} characters)`;

/** The longest part of a message, in characters, and its lines: what a file names may fill many screens. */
const longestPart = 1200;
const mostLines = 24;

/** A part of an error's message, of bounded length. */
export function messagePart(text: string): string {
  const lines = clipped(text, longestPart).split("\n");
  if (lines.length <= mostLines) return lines.join("\n");
  return `${lines.slice(0, mostLines).join("\n")}… (${text.length} characters)`;
}

/** A line holds four parts at most, and what joins them. */
const longestLine = 4 * longestPart + 200;

/** A message for people: printable, and no line of it fills a screen. */
export const printableMessage = (text: string): string =>
  text
    .split("\n")
    .map((line) => printable(clipped(line, longestLine)))
    .join("\n");

/** A text as one word of a shell's command. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
