import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { GenServerClient, InjectGenServer } from 'nestjs-genserver';
import { Sessions } from './sessions.server.js';

@Controller('sessions')
export class SessionsController {
  constructor(@InjectGenServer(Sessions) private readonly sessions: GenServerClient<Sessions>) {}

  @Get()
  list() {
    return this.sessions.list();
  }

  @Post(':id')
  @HttpCode(202)
  use(@Param('id') id: string) {
    this.sessions.use(id);
  }
}
