/** Injects the options of `GenServerModule.forRoot()`. */
export const GENSERVER_MODULE_OPTIONS = Symbol('GENSERVER_MODULE_OPTIONS');
/** Overrides for a test, where the application's own options are fixed in its modules. */
export const GENSERVER_OPTION_OVERRIDES = Symbol('GENSERVER_OPTION_OVERRIDES');
