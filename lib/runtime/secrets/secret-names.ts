/** A longer name is not checked: it tells a reader nothing. */
const LONGEST_NAME = 200;
/** The limit on remembered verdicts on field names: the keys of dictionaries are unlimited in number. */
const MOST_NAMES = 1_000;

/** Names without punctuation, in lower case: `x-api-key`, `API_KEY` and `apiKey` are one. */
const SECRET_NAMES = new RegExp(
  [
    'password|passwd|passphrase|secret|credential|authorization|cookie|sessionid|connectionstring',
    '(?:api|access|private|signing|encryption)key',
    'tokens?$',
    '^(?:pass|pwd|auth|jwt|cvv|cvc|ssn)$',
  ].join('|'),
);

/** Decides which names of fields and keys are secret: the usual ones, and those that an application adds. */
export class SecretNames {
  private readonly names: ReadonlySet<string>;
  private readonly patterns: readonly RegExp[];
  private readonly verdicts = new Map<string, boolean>();

  /** A string matches the name in any spelling, an expression is tested against the name as it is. */
  constructor(names: readonly (string | RegExp)[]) {
    this.names = new Set(names.filter((name) => typeof name === 'string').map(plain));
    // A global or sticky expression would remember where it last matched.
    this.patterns = names
      .filter((name) => name instanceof RegExp)
      .map(({ source, flags }) => new RegExp(source, flags.replace(/[gy]/g, '')));
  }

  /** For the name of a field: Node keeps these names anyway, so the verdict is remembered. */
  hasField(name: string): boolean {
    let verdict = this.verdicts.get(name);
    if (verdict === undefined) {
      if (name.length > LONGEST_NAME) return false;
      if (this.verdicts.size >= MOST_NAMES) this.verdicts.clear();
      this.verdicts.set(name, (verdict = this.has(name)));
    }
    return verdict;
  }

  /** For the key of a map: it is data, which nothing here may keep alive. */
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
