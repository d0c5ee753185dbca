import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import typescript from 'typescript';
import { root } from '../simulation/build.mjs';

const { SyntaxKind } = typescript;

/** What the object of a method is called where the method has become a function of the module. */
const RECEIVERS = new Set(['this', 'server', 'process', '#server']);

/** The sources of lib/, by their path from the root. */
export function readLibrary() {
  const paths = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  );
  return new Map(
    paths.sort().map((path) => {
      const file = `lib/${path.replaceAll('\\', '/')}`;
      return [file, readFileSync(join(root, file), 'utf8')];
    }),
  );
}

/**
 * Applies a mutant to the sources. Answers the file that it changes, the class if it is one of a method, and the text that the file
 * becomes. Throws unless there is exactly one place for it.
 */
export function applyMutant(mutant, sources) {
  const { pattern, edited } = patternOf(mutant);
  const named = functionsNamed(mutant.in, sources);
  const places = named.flatMap((place) => matchesIn(place, pattern));
  if (places.length !== 1) throw new Error(problemOf(mutant, pattern, named, places, sources));
  const { place, at } = places[0];
  const { file, owner, receiver } = place;
  const part = place.tokens.slice(at + edited.from, at + edited.to);
  const { start, end, code } = editOf(mutant, part);
  if (receiver === undefined && /\bthis\b/.test(code)) {
    throw new Error(
      `mutant ${mutant.id}: it needs \`this\`, and ${mutant.in} of ${file} has none, nor a parameter for it`,
    );
  }
  const text = sources.get(file);
  const replacement = code.replaceAll(/\bthis\b/g, () => receiver).replaceAll('$&', () => text.slice(start, end));
  return { file, owner, text: text.slice(0, start) + replacement + text.slice(end) };
}

/** Which part of the text is replaced, and by which code. */
function editOf({ remove, by, insert, before }, part) {
  const [first, last] = [part[0], part.at(-1)];
  const whole = { start: first.outerStart, end: last.outerEnd };
  if (insert !== undefined) {
    return before === undefined
      ? { start: whole.end, end: whole.end, code: ` ${insert}` }
      : { start: whole.start, end: whole.start, code: `${insert} ` };
  }
  // What is left of a statement is an empty one: it may be all there is behind an `if`.
  if (remove !== undefined) return { ...whole, code: [';', '}'].includes(last.text) ? ';' : '' };
  // A name that takes the place of a name keeps the receiver: `this.refuse` becomes `this.answer`.
  const isName = part.length === 1 && first.isOperand && first.outerEnd === first.end && /^\w+$/.test(by);
  return isName ? { start: first.start, end: first.end, code: by } : { ...whole, code: by };
}

/** What a mutant looks for, as tokens, and which of these it edits. */
function patternOf({ id, remove, replace, before, after }) {
  const source = remove ?? replace ?? before ?? after;
  if (source === undefined) throw new Error(`mutant ${id}: it says nothing to remove, to replace or to insert at`);
  const [left, marked, right] = source.includes('«') ? source.split(/[«»]/) : ['', source, ''];
  const count = (text) => normalised(scan(text)).length;
  const from = count(left);
  const pattern = normalised(scan(left + marked + right));
  return { pattern, edited: { from, to: pattern.length - count(right) } };
}

/** The functions and methods of a name, anywhere in the sources; all of them when no name is given. */
function functionsNamed(wanted, sources) {
  const all = [...sources].flatMap(([file, text]) => functionsIn(file, text));
  if (wanted === undefined) return all;
  const [name, owner] = wanted.split('.').reverse();
  // A method that has moved out of its class is a function of the module.
  return all.filter((each) => each.name === name && (owner === undefined || each.owner === owner || each.isOfModule));
}

/** By the file, then by its text. */
const cache = new Map();

function functionsIn(file, text) {
  const known = cache.get(file) ?? new Map();
  cache.set(file, known);
  if (known.has(text)) return known.get(text);
  const source = typescript.createSourceFile(file, text, typescript.ScriptTarget.Latest, true);
  const functions = [];
  const visit = (node) => {
    const name = nameOf(node);
    if (name !== undefined) {
      let tokens;
      functions.push({
        file,
        name,
        owner: node.parent.name?.text,
        isOfModule: typescript.isSourceFile(node.parent),
        receiver: receiverOf(node),
        // Few of them are ever looked into.
        get tokens() {
          return (tokens ??= normalised(leavesOf(node, source)));
        },
      });
    }
    typescript.forEachChild(node, visit);
  };
  visit(source);
  known.set(text, functions);
  return functions;
}

function nameOf(node) {
  const isFunction =
    typescript.isFunctionDeclaration(node) || typescript.isMethodDeclaration(node) || typescript.isAccessor(node);
  return isFunction && node.body !== undefined ? node.name?.getText() : undefined;
}

/** What a function calls the object that it was a method of. */
function receiverOf(node) {
  if (!typescript.isFunctionDeclaration(node)) return 'this';
  const first = node.parameters[0]?.name.getText();
  return RECEIVERS.has(first) ? first : undefined;
}

function matchesIn(place, pattern) {
  const { tokens } = place;
  const found = [];
  for (let at = 0; at + pattern.length <= tokens.length; at++) {
    if (pattern.every(({ text }, index) => text === tokens[at + index].text)) found.push({ place, at });
  }
  return found;
}

function problemOf(mutant, pattern, named, places, sources) {
  const head = `mutant ${mutant.id}: \`${mutant.remove ?? mutant.replace ?? mutant.before ?? mutant.after}\``;
  const list = (some) => [...new Set(some.map(({ file, name }) => `${name}() of ${file}`))].join(', ');
  const placesOf = (matches) => list(matches.map(({ place }) => place));
  if (places.length > 1) {
    return `${head} is there ${places.length} times, in ${placesOf(places)}. Say more of it, or of which class ${mutant.in} is.`;
  }
  const where = named.length === 0 ? `there is no function ${mutant.in} in lib/` : `it is not in ${list(named)}`;
  const elsewhere = functionsNamed(undefined, sources).flatMap((place) => matchesIn(place, pattern));
  const hint =
    elsewhere.length === 0 ? 'Nor is it anywhere else: write it as it is now.' : `It is in ${placesOf(elsewhere)}.`;
  return `${head} is nowhere: ${where}. ${hint}`;
}

// --- tokens ---------------------------------------------------------------------------------------------------------------

function scan(text) {
  const scanner = typescript.createScanner(typescript.ScriptTarget.Latest, true, undefined, text);
  const tokens = [];
  for (let kind = scanner.scan(); kind !== SyntaxKind.EndOfFileToken; kind = scanner.scan()) {
    tokens.push(token(kind, scanner.getTokenText(), scanner.getTokenStart(), scanner.getTokenEnd()));
  }
  return tokens;
}

function leavesOf(node, source, tokens = []) {
  if (node.kind >= SyntaxKind.FirstJSDocNode && node.kind <= SyntaxKind.LastJSDocNode) return tokens;
  const children = node.getChildren(source);
  if (children.length > 0) for (const child of children) leavesOf(child, source, tokens);
  else if (node.getWidth(source) > 0)
    tokens.push(token(node.kind, node.getText(source), node.getStart(source), node.end));
  return tokens;
}

function token(kind, text, start, end) {
  const isString = kind === SyntaxKind.StringLiteral;
  const isOperand = kind >= SyntaxKind.Identifier && kind <= SyntaxKind.PrivateIdentifier;
  return { text: isString ? JSON.stringify(text.slice(1, -1)) : text, start, end, isOperand };
}

/**
 * Tokens without what a refactoring may change: the receiver in front of a name (`this.state`, `server.state`, `state`) or handed over
 * first (`tellOfExit(server, request)`), an empty list of arguments (a getter becomes a function), `?.` for `.`, the `!` of "not null",
 * and the comma at the end of a list.
 */
function normalised(raw) {
  const tokens = [];
  let outerStart;
  for (let at = 0; at < raw.length; at++) {
    const { text, start, end, isOperand } = raw[at];
    const next = raw[at + 1]?.text;
    const last = tokens.at(-1);
    const isReceiver = RECEIVERS.has(text) && (last?.text !== '.' || outerStart !== undefined);
    if (isReceiver && (next === '.' || next === '?.')) {
      outerStart ??= start;
      at++;
    } else if (isReceiver && last?.text === '(' && (next === ',' || next === ')')) {
      if (next === ',') at++;
    } else if (text === ')' && last?.text === '(') {
      tokens.pop();
      if (tokens.length > 0) tokens.at(-1).outerEnd = end;
    } else if (text === '!' && isEndOfOperand(raw[at - 1])) {
      if (last !== undefined) last.outerEnd = end;
    } else if (text !== ',' || ![')', ']', '}'].includes(next)) {
      const meant = isReceiver ? 'this' : text === '?.' ? '.' : text;
      tokens.push({ text: meant, start, end, outerStart: outerStart ?? start, outerEnd: end, isOperand });
      outerStart = undefined;
    }
  }
  return tokens;
}

function isEndOfOperand(token) {
  return token !== undefined && (token.isOperand || [')', ']', 'this'].includes(token.text));
}

/** The names in a piece of code. */
export function identifiersOf(code) {
  return scan(code)
    .filter(({ isOperand }) => isOperand)
    .map(({ text }) => text);
}
