/** A name that is longer says nothing to anybody. */
const LONGEST_NAME = 200;
/** Verdicts on the names of fields are remembered, up to so many: those of a dictionary are without end. */
const MOST_NAMES = 1_000;

/** Of names without their punctuation, in small letters: `x-api-key`, `API_KEY` and `apiKey` are one. */
const SECRET_NAMES = new RegExp(
  [
    'password|passwd|passphrase|secret|credential|authorization|cookie|sessionid|connectionstring',
    '(?:api|access|private|signing|encryption)key',
    'tokens?$',
    '^(?:pass|pwd|auth|jwt|cvv|cvc|ssn)$',
  ].join('|'),
);

/** Which names of fields and keys are those of secrets: the usual ones, and those that an application gives. */
export class SecretNames {
  private readonly names: ReadonlySet<string>;
  private readonly patterns: readonly RegExp[];
  private readonly verdicts = new Map<string, boolean>();

  /** A string is the name however it is spelt, an expression is tried on the name as it is. */
  constructor(names: readonly (string | RegExp)[]) {
    this.names = new Set(names.filter((name) => typeof name === 'string').map(plain));
    // An expression that is global or sticky would remember where it matched last.
    this.patterns = names
      .filter((name) => name instanceof RegExp)
      .map(({ source, flags }) => new RegExp(source, flags.replace(/[gy]/g, '')));
  }

  /** Of a field: Node keeps the names of these anyway, so the verdict is remembered. */
  hasField(name: string): boolean {
    let verdict = this.verdicts.get(name);
    if (verdict === undefined) {
      if (name.length > LONGEST_NAME) return false;
      if (this.verdicts.size >= MOST_NAMES) this.verdicts.clear();
      this.verdicts.set(name, (verdict = this.has(name)));
    }
    return verdict;
  }

  /** Of a key of a map: data, which nothing here may keep alive. */
  has(name: string): boolean {
    if (name.length > LONGEST_NAME) return false;
    const spelling = plain(name);
    return (
      SECRET_NAMES.test(spelling) || this.names.has(spelling) || this.patterns.some((pattern) => pattern.test(name))
    );
  }
}

function plain(name: string): string {
  return name.replace(/[^\p{L}\p{N}]/gu, '').toLowerCase();
}
