import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { GenServerClient, InjectGenServer } from 'nestjs-genserver';
import { AmountPipe } from './amount.pipe.js';
import { Counter } from './counter.server.js';

@Controller('counter')
export class CounterController {
  constructor(@InjectGenServer(Counter) private readonly counter: GenServerClient<Counter>) {}

  @Get()
  getCount() {
    return this.counter.getCount();
  }

  @Post('increment')
  @HttpCode(202)
  increment(@Body(AmountPipe) amount: number) {
    this.counter.increment(amount);
  }
}
