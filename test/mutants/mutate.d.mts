export function syntaxErrorsOf(file: string, text: string): string[];
