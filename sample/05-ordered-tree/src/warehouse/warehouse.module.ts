import { Module } from '@nestjs/common';
import { Supervisor } from 'nestjs-genserver';
import { CrashController } from './crash.controller.js';
import { Link } from './link.server.js';
import { OrdersController } from './orders.controller.js';
import { Orders } from './orders.server.js';
import { Stock } from './stock.server.js';
import { Warehouse } from './warehouse.service.js';

/**
 * Each server depends on the one before it, and this order is all that says so: they start from first to last, stop from last
 * to first, and when one crashes, the rest, which come after it, are stopped and started with it.
 */
@Supervisor({ strategy: 'rest_for_one', maxRestarts: 3, withinMs: 5_000 })
@Module({
  providers: [Warehouse, Link, Stock, Orders],
  controllers: [OrdersController, CrashController],
})
export class WarehouseModule {}
