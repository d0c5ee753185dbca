import { NestFactory } from '@nestjs/core';
import { GenServerRuntime } from 'nestjs-genserver';
import { AppModule } from './app.module.js';
import { routes } from './routes.js';

async function bootstrap() {
  const { PORT = '3000', CART_IDLE_MINUTES = '30', CLEANUP_EVERY_MS = '60000' } = process.env;
  const options = { cartIdleMinutes: Number(CART_IDLE_MINUTES), cleanupEveryMs: Number(CLEANUP_EVERY_MS) };

  const app = await NestFactory.create(AppModule.with(options));
  app.enableShutdownHooks();
  await app.listen(PORT);

  const { port } = new URL(await app.getUrl());
  console.log(`\n${routes(`http://localhost:${port}`)}`);
  console.log(`\nSupervision tree\n\n${app.get(GenServerRuntime).printTree()}\n`);
  return app;
}

export const app = await bootstrap();
