import { BadRequestException, Body, ConflictException, Controller, Delete, Get, HttpCode } from '@nestjs/common';
import { NotFoundException, Param, Post, Put } from '@nestjs/common';
import { AlreadyStartedError, GenServerClient, GenServerRuntime, InjectGenServer } from 'nestjs-genserver';
import { ValuePipe } from '../common/value.pipe.js';
import { type Nickname, Profile } from './profile.server.js';
import { UserDirectory } from './user-directory.js';

@Controller('naming')
export class NamingController {
  constructor(
    @InjectGenServer(Profile) private readonly byClass: GenServerClient<Profile>,
    @InjectGenServer(Profile, { global: 'profile' }) private readonly byGlobal: GenServerClient<Profile>,
    private readonly runtime: GenServerRuntime,
    private readonly directory: UserDirectory,
  ) {}

  @Get('class')
  whoIsClass() {
    return this.byClass.whoAmI();
  }

  @Get('global')
  whoIsGlobal() {
    return this.byGlobal.whoAmI();
  }

  @Post('users/:id')
  async start(@Param('id') id: string) {
    const name = this.nameOf(id);
    try {
      return { key: name.key, pid: await this.runtime.start(Profile, { name, args: [`user ${id}`] }) };
    } catch (error) {
      if (error instanceof AlreadyStartedError) throw new ConflictException(error.message);
      throw error;
    }
  }

  @Get('users/:id')
  whoIsUser(@Param('id') id: string) {
    return this.runtime.client<Profile>(this.livingUser(id)).whoAmI();
  }

  @Put('users/:id/nickname')
  @HttpCode(202)
  setNickname(@Param('id') id: string, @Body(ValuePipe) nickname: unknown) {
    if (typeof nickname !== 'string') throw new BadRequestException('value must be a string');
    this.runtime.send(this.livingUser(id), { type: 'nickname', nickname } satisfies Nickname);
  }

  @Delete('users/:id')
  async stop(@Param('id') id: string) {
    await this.runtime.stop(this.livingUser(id));
    return 'ok';
  }

  private nameOf(id: string) {
    return { via: this.directory, key: `user:${id}` };
  }

  private livingUser(id: string) {
    const name = this.nameOf(id);
    if (this.runtime.whereis(name) === undefined) throw new NotFoundException(`Nobody is registered as ${name.key}`);
    return name;
  }
}
