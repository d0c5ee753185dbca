import { Module, type ModuleMetadata, type Type } from '@nestjs/common';
import { Test, type TestingModule, type TestingModuleBuilder } from '@nestjs/testing';
import { onTestFinished } from 'vitest';
import { GenServerModule, type GenServerModuleOptions } from 'nestjs-genserver';
import { droppedLines } from '../../support/dropped-lines.mjs';

export interface Setup extends ModuleMetadata {
  /** What `forRoot()` takes. When the tree gives up, the test's process lives on unless said otherwise. */
  readonly options?: GenServerModuleOptions;
  readonly override?: (builder: TestingModuleBuilder) => TestingModuleBuilder;
}

/** An application whose providers are made but whose hooks have not run. It is closed when the test is over. */
export async function compiled({ options, override, imports = [], ...metadata }: Setup): Promise<TestingModule> {
  const root = GenServerModule.forRoot({ onTreeExit: 'keep', ...options });
  const builder = Test.createTestingModule({ imports: [root, ...imports], ...metadata });
  const application = await (override?.(builder) ?? builder).compile();
  application.useLogger(droppedLines);
  onTestFinished(() => application.close().catch(() => undefined));
  return application;
}

/** An application with its tree up. */
export async function started(setup: Setup): Promise<TestingModule> {
  const application = await compiled(setup);
  await application.init();
  return application;
}

/** A module class of that name. */
export function moduleOf(name: string, metadata: ModuleMetadata): Type {
  const type = { [name]: class {} }[name]!;
  Module(metadata)(type);
  return type;
}
