import { Module } from '@nestjs/common';
import { CartController } from './cart.controller.js';
import { Cart } from './cart.server.js';
import { PriceService } from './price.service.js';

@Module({ controllers: [CartController], providers: [Cart, PriceService] })
export class CartModule {}
