import { Body, Controller, Delete, Get, HttpCode, Param, Post, UseFilters } from '@nestjs/common';
import { DynamicSupervisorClient, GenServerClient, GenServerRuntime, InjectDynamicSupervisor } from 'nestjs-genserver';
import { Cart } from './cart.server.js';
import type { Item } from './item.js';
import { ItemPipe } from './item.pipe.js';
import { TooManyCartsFilter } from './too-many-carts.filter.js';

@Controller('carts')
@UseFilters(TooManyCartsFilter)
export class CartController {
  constructor(
    @InjectDynamicSupervisor(Cart) private readonly carts: DynamicSupervisorClient<Cart>,
    private readonly runtime: GenServerRuntime,
  ) {}

  @Get()
  overview() {
    return { counts: this.carts.countChildren(), tree: this.runtime.tree() };
  }

  @Get(':owner')
  async list(@Param('owner') owner: string) {
    return (await this.cartOf(owner)).list();
  }

  @Get(':owner/total')
  async total(@Param('owner') owner: string) {
    return { total: await (await this.cartOf(owner)).total() };
  }

  @Post(':owner')
  async add(@Param('owner') owner: string, @Body(ItemPipe) item: Item) {
    return (await this.cartOf(owner)).add(item);
  }

  @Post(':owner/checkout')
  async checkout(@Param('owner') owner: string) {
    return (await this.cartOf(owner)).checkout();
  }

  @Delete(':owner')
  @HttpCode(202)
  async clear(@Param('owner') owner: string) {
    (await this.cartOf(owner)).clear();
  }

  /** Found by its owner, and started with the owner for an argument when it is not there. */
  private cartOf(owner: string): Promise<GenServerClient<Cart>> {
    return this.carts.getOrStart(owner, owner);
  }
}
