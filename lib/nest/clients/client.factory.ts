import type { Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { type Destination, resolve } from '../../gen-server/client/destination.js';
import type { NameTable } from '../../registry/name-table.js';
import { formatName } from '../../runtime/server-name.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { CompiledServers } from '../discovery/compiled-servers.js';
import type { ListedServer, ListedServers } from '../discovery/listed-servers.js';
import * as messages from '../gen-server.messages.js';
import { findConsumer } from '../injection/consumer.finder.js';
import type { DynamicSupervisorRequest } from '../injection/inject-dynamic-supervisor.js';
import type { ClientRequest } from '../injection/inject-gen-server.js';
import { type ClientTarget, makeClient } from './client-target.js';
import { makeDynamicSupervisorClient } from './dynamic-supervisor.factory.js';
import { KeyedServers } from './keyed-servers.js';
import { NamedTarget } from './named-target.js';

/** What the client factory needs from the application that it creates clients for. */
export interface ClientFactoryContext {
  readonly runtime: Runtime;
  readonly localNames: NameTable;
  readonly modules: ModulesContainer;
  readonly listed: ListedServers;
  readonly compiled: CompiledServers;
  /** Why a listed server may not answer now, for error messages. */
  explainAbsence(server: ListedServer): string;
}

/** Creates all that talks to the servers of one application: clients, their targets, and dynamic supervisors of keyed servers. */
export class ClientFactory {
  private readonly keyed = new Map<ListedServer, KeyedServers>();

  constructor(private readonly context: ClientFactoryContext) {}

  /** The client for an `@InjectGenServer`; undefined when only another application requested it. */
  clientFor(request: ClientRequest): unknown {
    const { listed: servers, modules } = this.context;
    const { server, name } = request;
    const double = name === undefined ? servers.findDouble(server) : undefined;
    if (double !== undefined) return double;
    const listed = servers.find(server, name);
    const isKeyed = listed !== undefined && this.keyedOf(listed) !== undefined;
    if (listed !== undefined && !isKeyed) return this.clientOf(listed);
    const consumer = findConsumer(modules, request);
    if (consumer === undefined) return undefined;
    if (isKeyed) throw messages.startedOnDemand(server.name, consumer);
    throw messages.notProvided(`${server.name}${name === undefined ? '' : ` named ${formatName(name)}`}`, consumer);
  }

  /** The dynamic supervisor for an `@InjectDynamicSupervisor`; undefined when only another application requested it. */
  dynamicSupervisorFor(request: DynamicSupervisorRequest): object | undefined {
    const { runtime, listed: servers, compiled, modules } = this.context;
    const { server, name } = request;
    const listed = servers.find(server, name);
    const keyed = listed === undefined ? undefined : this.keyedOf(listed);
    if (keyed !== undefined) return makeDynamicSupervisorClient(runtime, keyed, compiled.of(listed!));
    const consumer = findConsumer(modules, request);
    if (consumer === undefined) return undefined;
    throw listed === undefined
      ? messages.notProvided(server.name, consumer)
      : messages.notStartedOnDemand(server.name, consumer);
  }

  clientOf(listed: ListedServer): object {
    return makeClient(this.targetOf(listed), this.context.compiled.of(listed).stubs);
  }

  /** A client's target for any destination, typed by the given class or by the server that runs there now. */
  targetFor(
    destination: Destination,
    server?: Type,
  ): { target: ClientTarget; stubs: readonly (string | symbol)[] } | undefined {
    const { runtime, listed: servers, compiled } = this.context;
    const listed = servers.findByDestination(destination, server);
    const definition =
      listed === undefined ? resolve(runtime, destination)?.definition : compiled.of(listed).blueprint.definition;
    if (definition === undefined) return undefined;
    const target: ClientTarget = {
      runtime,
      destination,
      definition,
      find: () => resolve(runtime, destination),
      absenceHint: () => this.explainAbsence(destination, server),
    };
    return { target, stubs: listed === undefined ? [] : compiled.of(listed).stubs };
  }

  /** Why no process answers at a destination. */
  explainAbsence(destination: Destination, server?: Type): string {
    const listed = this.context.listed.findByDestination(destination, server);
    return listed === undefined ? 'It was never started, or has ended.' : this.context.explainAbsence(listed);
  }

  /** The processes by key of a server that is started on demand; undefined for any other. */
  keyedOf(listed: ListedServer): KeyedServers | undefined {
    if (listed.options.start !== 'on_demand') return undefined;
    let keyed = this.keyed.get(listed);
    if (keyed === undefined) this.keyed.set(listed, (keyed = this.makeKeyed(listed)));
    return keyed;
  }

  private targetOf(listed: ListedServer): ClientTarget {
    const { runtime, localNames, compiled } = this.context;
    const { name } = listed;
    const { definition } = compiled.of(listed).blueprint;
    const absenceHint = (): string => this.context.explainAbsence(listed);
    if (typeof name === 'object') {
      return { runtime, destination: name, definition, absenceHint, find: () => resolve(runtime, name) };
    }
    return new NamedTarget(runtime, name, definition, localNames.pin(name), absenceHint);
  }

  private makeKeyed(listed: ListedServer): KeyedServers {
    const { runtime, localNames, compiled } = this.context;
    const { type, options } = listed;
    const { restart = 'transient', shutdownMs, name: _, args: __, ...common } = options;
    const supervisorName = Symbol(`DynamicSupervisor(${type.name})`);
    return new KeyedServers(runtime, {
      label: type.name,
      source: compiled.of(listed).blueprint,
      options: common,
      restart,
      shutdownMs,
      supervisorName,
      supervisorSlot: localNames.pin(supervisorName),
    });
  }
}
