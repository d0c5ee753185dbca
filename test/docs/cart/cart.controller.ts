import { Body, Controller, Get, Post } from '@nestjs/common';
import { GenServerClient, InjectGenServer } from 'nestjs-genserver';
import { Cart } from './cart.server.js';

@Controller('cart')
export class CartController {
  constructor(@InjectGenServer(Cart) private readonly cart: GenServerClient<Cart>) {}

  @Get()
  contents() {
    return this.cart.contents();
  }

  @Post()
  add(@Body('item') item: string) {
    return this.cart.add(item);
  }
}
