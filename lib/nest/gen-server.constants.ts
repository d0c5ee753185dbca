/** Injects the options of `GenServerModule.forRoot()`. */
export const GENSERVER_MODULE_OPTIONS = Symbol('GENSERVER_MODULE_OPTIONS');
/** What a test wants otherwise than the application, whose own options stand in its modules. */
export const GENSERVER_OPTION_OVERRIDES = Symbol('GENSERVER_OPTION_OVERRIDES');
