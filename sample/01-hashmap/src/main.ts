import { NestFactory } from '@nestjs/core';
import { GenServerRuntime } from 'nestjs-genserver';
import { AppModule } from './app.module.js';
import { routes } from './routes.js';

async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  // SIGTERM and Ctrl-C stop the tree in order before Node ends.
  app.enableShutdownHooks();
  await app.listen(process.env['PORT'] ?? 3000);

  const { port } = new URL(await app.getUrl());
  console.log(`\n${routes(`http://localhost:${port}`)}`);
  console.log(`\nSupervision tree\n\n${app.get(GenServerRuntime).printTree()}\n`);
  return app;
}

export const app = await bootstrap();
