import { GenServerConfigError } from './errors.js';
import { print } from '../runtime/secrets/print.js';

/** All configuration mistakes in one place: each message says where the mistake is, what it is, with which values, and how to fix it. */

export const notAClass = (got: unknown): GenServerConfigError =>
  new GenServerConfigError(
    'not_a_class',
    `A server must be given as its class, got: ${print(got)}. ` +
      'If the class is undefined here, two files import each other: write @InjectGenServer(() => TheServer).',
  );

export const notAGenServerBase = (server: string): GenServerConfigError =>
  new GenServerConfigError(
    'not_a_gen_server_base',
    `${server} is decorated with @GenServer() but does not extend GenServerBase. Write: class ${server} extends GenServerBase<YourState>.`,
  );

export const notDecorated = (server: string): GenServerConfigError =>
  new GenServerConfigError('not_decorated', `${server} is no server: decorate the class with @GenServer().`);

export const lifecycleHook = (server: string, hook: string): GenServerConfigError =>
  new GenServerConfigError(
    'lifecycle_hook',
    `${server} defines ${hook}(), which Nest would call on an unused template and never on the process. ` +
      `Use ${hook.startsWith('on') && !hook.endsWith('Destroy') && !hook.endsWith('Shutdown') ? 'init()' : 'terminate()'} instead.`,
  );

export const reservedName = (server: string, method: string, why: string): GenServerConfigError =>
  new GenServerConfigError('reserved_name', `${server}.${method} cannot be a handler: ${why}. Rename the method.`);

export const handledTwice = (server: string, what: string, first: string, second: string): GenServerConfigError =>
  new GenServerConfigError(
    'handled_twice',
    `${server} handles ${what} twice, in ${first}() and in ${second}(). One of them would never run: remove it, or give it another tag.`,
  );

export const kindChanged = (server: string, method: string, from: string, to: string): GenServerConfigError =>
  new GenServerConfigError(
    'kind_changed',
    `${server}.${method} is a ${from} handler and a ${to} handler at once. Callers rely on what it was first: ` +
      'keep one decorator, or rename the method. An override keeps the decoration it inherits.',
  );

export const notAMethod = (server: string, member: string): GenServerConfigError =>
  new GenServerConfigError(
    'not_a_method',
    `${server}.${member} is decorated as a handler but is no method of the class.`,
  );

export const requestScoped = (server: string, module: string): GenServerConfigError =>
  new GenServerConfigError(
    'request_scoped',
    `${server} in ${module} depends on a request-scoped provider, or is one itself. A process outlives every request: ` +
      'inject a singleton, and pass what belongs to a request as an argument.',
  );

export const transient = (server: string, module: string): GenServerConfigError =>
  new GenServerConfigError(
    'transient',
    `${server} in ${module} is transient. A process is one instance per incarnation already: remove scope: Scope.TRANSIENT.`,
  );

export const useFactory = (server: string, module: string): GenServerConfigError =>
  new GenServerConfigError(
    'use_factory',
    `${server} in ${module} is given by useFactory, but every incarnation needs a new instance that Nest makes. ` +
      'List the class itself, or use provideGenServer(), and inject what the factory would have computed.',
  );

export const overrideIsNoServer = (server: string, override: string): GenServerConfigError =>
  new GenServerConfigError(
    'override_is_no_server',
    `${server} is overridden by ${override}, which is no @GenServer() class. Decorate it, or override the client: ` +
      `overrideProvider(getGenServerToken(${server})).useValue(…).`,
  );

export const twoModules = (server: string, first: string, second: string): GenServerConfigError =>
  new GenServerConfigError(
    'two_modules',
    `${server} is listed by ${first} and by ${second}, and both would be registered as ${server}. List it in one of them ` +
      `(clients need no import), or name one: provideGenServer(${server}, { name: '…' }).`,
  );

export const nameTaken = (name: string, first: string, second: string): GenServerConfigError =>
  new GenServerConfigError(
    'name_taken',
    `The name ${name} is wanted twice, by ${first} and by ${second}. Names are unique in an application: change one.`,
  );

export const notProvided = (server: string, consumer: string): GenServerConfigError =>
  new GenServerConfigError(
    'not_provided',
    `${consumer} injects a client of ${server}, but no module provides that server. ` +
      `Add ${server} to the providers of a module of this application, or provideGenServer() with the name that is asked for.`,
  );

export const twoRoots = (): GenServerConfigError =>
  new GenServerConfigError(
    'two_roots',
    'GenServerModule.forRoot() is imported twice, which would make two runtimes that know nothing of each other. ' +
      'Import it once, in the root module; other modules need no import at all.',
  );

export const startedOnDemand = (server: string, consumer: string): GenServerConfigError =>
  new GenServerConfigError(
    'started_on_demand',
    `${consumer} injects a client of ${server}, but that is started on demand, one process per key. ` +
      `Inject @InjectDynamicSupervisor(${server}) and use getOrStart(key) or client(key).`,
  );

export const notStartedOnDemand = (server: string, consumer: string): GenServerConfigError =>
  new GenServerConfigError(
    'not_started_on_demand',
    `${consumer} injects the dynamic supervisor of ${server}, but that server is started with the application. ` +
      `Write @GenServer({ start: 'on_demand' }), or inject a client with @InjectGenServer(${server}).`,
  );

export const unknownOption = (owner: string, option: string, known: readonly string[]): GenServerConfigError =>
  new GenServerConfigError('invalid_option', `${owner} has no option ${option}. Use one of: ${known.join(', ')}.`);

export const invalidOption = (owner: string, option: string, expected: string, got: unknown): GenServerConfigError =>
  new GenServerConfigError('invalid_option', `${option} of ${owner} must be ${expected}, got: ${print(got)}`);

export const noRoot = (): GenServerConfigError =>
  new GenServerConfigError(
    'not_provided',
    'GenServerModule is imported without options: import GenServerModule.forRoot() in the root module instead.',
  );

export const registryNotProvided = (registry: string, consumer: string): GenServerConfigError =>
  new GenServerConfigError(
    'not_provided',
    `${consumer} injects the registry '${registry}', but no module provides it. ` +
      `Add provideRegistry('${registry}', { keys: 'unique' }) to the providers of a module of this application.`,
  );

export const noGenServerModule = (): GenServerConfigError =>
  new GenServerConfigError(
    'not_provided',
    'PubSubModule needs the processes of GenServerModule: import GenServerModule.forRoot() in the root module too.',
  );
