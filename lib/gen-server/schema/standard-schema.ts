/**
 * A schema of any library that follows [Standard Schema](https://standardschema.dev), version 1: zod, valibot, arktype and others.
 * Declared here as a type, so that this library depends on none of them.
 *
 * @publicApi
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** For the compiler only: there is nothing in it at run time. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** The result of a schema for a value: its output, or what is wrong with the value. */
export type SchemaResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

/** One thing that is wrong with a value. */
export interface SchemaIssue {
  readonly message: string;
  /** The path within the value; absent for the value itself. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever it takes and gives
export type AnySchema = StandardSchema<any, any>;

/**
 * The schema of the only argument of a handler, or one for each of its arguments.
 *
 * @publicApi
 */
export type ArgumentSchemas = AnySchema | readonly AnySchema[];

/** The input that callers may pass to a schema. */
export type InputOf<S extends AnySchema> = NonNullable<S['~standard']['types']>['input'];

/** The output of a schema. */
export type OutputOf<S extends AnySchema> = NonNullable<S['~standard']['types']>['output'];

/** The arguments that the handler receives. */
export type OutputsOf<S extends ArgumentSchemas> = S extends readonly AnySchema[]
  ? { -readonly [I in keyof S]: S[I] extends AnySchema ? OutputOf<S[I]> : never }
  : S extends AnySchema
    ? [OutputOf<S>]
    : never;

declare const VALIDATED: unique symbol;

/**
 * Marks a parameter with the type that its callers pass. For the compiler only: the value has no such property. Declaration files of
 * exported servers name it.
 */
export interface MadeFrom<Input, Output> {
  readonly [VALIDATED]: { readonly input: Input; readonly output: Output };
}

/**
 * The type of a parameter that a schema produces: its output, for the handler, and its input, for the client. Needed only where
 * these differ: `place(order: Validated<typeof Order>)`.
 *
 * @publicApi
 */
export type Validated<S extends AnySchema> = Marked<OutputOf<S>, InputOf<S>, OutputOf<S>>;

/** A value of the same name, so that decorated signatures may mention the type under `isolatedModules` (TS1272). */
export const Validated = Object;

/** null and undefined cannot be marked. */
type Marked<T, Input, Output> = T extends null | undefined ? T : T & MadeFrom<Input, Output>;

/* eslint-disable @typescript-eslint/no-explicit-any -- types that match any parameter */

type MarkOf<P> = 0 extends 1 & P ? never : Extract<P, MadeFrom<any, any>>;

/** The type that callers pass for a parameter. */
export type GivenFor<P> = [MarkOf<P>] extends [never] ? P : MarkOf<P>[typeof VALIDATED]['input'];

/** The type of schema output that a parameter accepts. */
export type TakenBy<P> = [MarkOf<P>] extends [never] ? P : MarkOf<P>[typeof VALIDATED]['output'];

export function isStandardSchema(value: unknown): value is AnySchema {
  // The schemas of arktype are functions.
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false;
  const standard = (value as { '~standard'?: { version?: unknown; validate?: unknown } })['~standard'];
  return standard?.version === 1 && typeof standard.validate === 'function';
}
