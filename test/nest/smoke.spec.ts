import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  type OnModuleDestroy,
  type OnModuleInit,
  Param,
  Post,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { expect, it } from 'vitest';
import {
  GenServer,
  GenServerBase,
  GenServerClient,
  GenServerModule,
  GenServerRuntime,
  getGenServerToken,
  HandleCall,
  HandleCast,
  InjectGenServer,
  noReply,
  ok,
  provideGenServer,
  reply,
  Supervisor,
} from 'nestjs-genserver';

const log: string[] = [];
@Injectable()
class Db implements OnModuleInit, OnModuleDestroy {
  onModuleInit() {
    log.push('db open');
  }
  onModuleDestroy() {
    log.push('db close');
  }
}

@GenServer()
class Counter extends GenServerBase<number> {
  constructor(@Inject(Db) private readonly db: Db) {
    super();
  }
  override init(first = 0) {
    log.push('init ' + !!this.db);
    return ok(first as number);
  }
  @HandleCall() increment(by: number) {
    return reply(this.state + by, this.state + by);
  }
  @HandleCall() boom() {
    throw new Error('boom');
    return reply(1);
  }
  @HandleCast() reset() {
    return noReply(0);
  }
  helper() {
    return 1;
  }
  override terminate() {
    log.push('terminate');
  }
}

@Controller()
class CounterController {
  constructor(
    @InjectGenServer(Counter) private readonly counter: GenServerClient<Counter>,
    @InjectGenServer(Counter, 'b') private readonly b: GenServerClient<Counter>,
  ) {}
  @Post('inc/:by') inc(@Param('by') by: string) {
    return this.counter.increment(Number(by));
  }
  @Get('boom') boom() {
    return this.counter.boom();
  }
  @Get('b') other() {
    return this.b.increment(1);
  }
}

@Supervisor({ maxRestarts: 3 })
@Module({
  providers: [Db, Counter, provideGenServer(Counter, { name: 'b', args: [100] })],
  controllers: [CounterController],
})
class CounterModule {}

it('runs', async () => {
  const module = await Test.createTestingModule({ imports: [GenServerModule.forRoot(), CounterModule] }).compile();
  const app = module.createNestApplication();
  await app.init();
  const http = request(app.getHttpServer());
  expect((await http.post('/inc/5')).text).toBe('5');
  expect((await http.get('/b')).text).toBe('101');
  expect((await http.get('/boom')).status).toBe(500);
  expect((await http.post('/inc/2')).text).toBe('2');
  const runtime = app.get(GenServerRuntime);
  console.log(runtime.printTree());
  const client = app.get(getGenServerToken(Counter));
  console.log(client);
  expect(() => client.helper()).toThrow(/no handler/);
  await Promise.all([app.close(), app.close()]);
  console.log(log);
});
