/** What a server knows before and after it has been set up. */
export type SetupStatus =
  { readonly status: 'initializing' } | { readonly status: 'ready'; readonly words: readonly string[] };
