export const DOORS: Readonly<Record<string, string>>;
export const PACKAGE: string;
export function specifierOf(subPath: string): string;
export function filesOf(entry: string): Readonly<Record<'esm' | 'esmTypes' | 'cjs' | 'cjsTypes', string>>;
