import { NestFactory } from '@nestjs/core';
import { GenServerRuntime } from 'nestjs-genserver';
import { AppModule } from './app.module.js';
import { routes } from './routes.js';

async function bootstrap() {
  const { PORT = '3000', CHAT_IDLE_MINUTES = '15' } = process.env;
  const app = await NestFactory.create(AppModule.with({ chatIdleMinutes: Number(CHAT_IDLE_MINUTES) }));
  app.enableShutdownHooks();
  await app.listen(PORT);

  const { port } = new URL(await app.getUrl());
  console.log(`\n${routes(`http://localhost:${port}`)}`);
  console.log(`\nSupervision tree\n\n${app.get(GenServerRuntime).printTree()}\n`);
  return app;
}

export const app = await bootstrap();
