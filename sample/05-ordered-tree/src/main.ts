import { NestFactory } from '@nestjs/core';
import { GenServerRuntime } from 'nestjs-genserver';
import { AppModule } from './app.module.js';
import { listenEarly } from './listen-early.js';
import { routes } from './routes.js';

async function bootstrap() {
  const app = await NestFactory.create(AppModule.with());
  // SIGTERM and Ctrl-C stop the tree in order before Node ends.
  app.enableShutdownHooks();

  const { url, started } = await listenEarly(app, process.env['PORT'] ?? 3000);
  console.log(`\n${routes(url)}\n`);
  await started;
  console.log(`\nSupervision tree\n\n${app.get(GenServerRuntime).printTree()}\n`);
  return app;
}

export const app = await bootstrap();
