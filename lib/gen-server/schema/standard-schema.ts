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

/** What a schema says of a value: what it made of it, or what is wrong with it. */
export type SchemaResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

/** One thing that is wrong with a value. */
export interface SchemaIssue {
  readonly message: string;
  /** Where in the value; absent for the value itself. */
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

/** What callers may give to a schema. */
export type InputOf<S extends AnySchema> = NonNullable<S['~standard']['types']>['input'];

/** What a schema makes of it. */
export type OutputOf<S extends AnySchema> = NonNullable<S['~standard']['types']>['output'];

/** What the handler gets. */
export type OutputsOf<S extends ArgumentSchemas> = S extends readonly AnySchema[]
  ? { -readonly [I in keyof S]: S[I] extends AnySchema ? OutputOf<S[I]> : never }
  : S extends AnySchema
    ? [OutputOf<S>]
    : never;

declare const VALIDATED: unique symbol;

/**
 * Says of a parameter what its callers give. For the compiler only: there is nothing of it in the value. Declaration files of
 * exported servers name it.
 */
export interface MadeFrom<Input, Output> {
  readonly [VALIDATED]: { readonly input: Input; readonly output: Output };
}

/**
 * The type of a parameter that a schema makes: what it gives, for the handler, and what it takes, for the client. Needed only where
 * these differ: `place(order: Validated<typeof Order>)`.
 *
 * @publicApi
 */
export type Validated<S extends AnySchema> = Marked<OutputOf<S>, InputOf<S>, OutputOf<S>>;

/** A value of the same name, so that decorated signatures may mention the type under `isolatedModules` (TS1272). */
export const Validated = Object;

/** Nothing can be said of null and undefined. */
type Marked<T, Input, Output> = T extends null | undefined ? T : T & MadeFrom<Input, Output>;

/* eslint-disable @typescript-eslint/no-explicit-any -- types that match any parameter */

type MarkOf<P> = 0 extends 1 & P ? never : Extract<P, MadeFrom<any, any>>;

/** What callers give for a parameter. */
export type GivenFor<P> = [MarkOf<P>] extends [never] ? P : MarkOf<P>[typeof VALIDATED]['input'];

/** What a parameter takes from a schema. */
export type TakenBy<P> = [MarkOf<P>] extends [never] ? P : MarkOf<P>[typeof VALIDATED]['output'];

export function isStandardSchema(value: unknown): value is AnySchema {
  // The schemas of arktype are functions.
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false;
  const standard = (value as { '~standard'?: { version?: unknown; validate?: unknown } })['~standard'];
  return standard?.version === 1 && typeof standard.validate === 'function';
}
