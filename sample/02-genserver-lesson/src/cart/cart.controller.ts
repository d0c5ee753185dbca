import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { GenServerClient, InjectGenServer } from 'nestjs-genserver';
import type { Item } from './item.js';
import { ItemPipe } from './item.pipe.js';
import { ShoppingCart } from './shopping-cart.server.js';

@Controller('cart')
export class CartController {
  constructor(@InjectGenServer(ShoppingCart) private readonly cart: GenServerClient<ShoppingCart>) {}

  @Get()
  listItems() {
    return this.cart.listItems();
  }

  @Get('total')
  async total() {
    return { total: await this.cart.total() };
  }

  @Post()
  addItem(@Body(ItemPipe) { item, price }: Item) {
    return this.cart.addItem(item, price);
  }

  @Delete(':item')
  removeItem(@Param('item') item: string) {
    return this.cart.removeItem(item);
  }

  @Delete()
  @HttpCode(202)
  clear() {
    this.cart.clear();
  }
}
