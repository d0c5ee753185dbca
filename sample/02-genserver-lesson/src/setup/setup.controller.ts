import { Controller, Get } from '@nestjs/common';
import { GenServerClient, InjectGenServer } from 'nestjs-genserver';
import { SetupByContinue } from './setup-by-continue.server.js';
import { SetupByMessage } from './setup-by-message.server.js';

@Controller('setup')
export class SetupController {
  constructor(
    @InjectGenServer(SetupByMessage) private readonly byMessage: GenServerClient<SetupByMessage>,
    @InjectGenServer(SetupByContinue) private readonly byContinue: GenServerClient<SetupByContinue>,
  ) {}

  @Get('by-message')
  statusByMessage() {
    return this.byMessage.status();
  }

  @Get('by-continue')
  statusByContinue() {
    return this.byContinue.status();
  }
}
