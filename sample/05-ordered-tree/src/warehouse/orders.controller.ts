import { Body, Controller, Get, Post } from '@nestjs/common';
import { GenServerClient, InjectGenServer } from 'nestjs-genserver';
import { ItemPipe } from './item.pipe.js';
import { Orders } from './orders.server.js';
import { Stock } from './stock.server.js';

@Controller('orders')
export class OrdersController {
  constructor(
    @InjectGenServer(Orders) private readonly orders: GenServerClient<Orders>,
    @InjectGenServer(Stock) private readonly stock: GenServerClient<Stock>,
  ) {}

  @Get()
  async overview() {
    return { sold: await this.orders.sold(), left: await this.stock.left() };
  }

  @Post()
  async place(@Body(ItemPipe) item: string) {
    return { sold: await this.orders.place(item) };
  }
}
