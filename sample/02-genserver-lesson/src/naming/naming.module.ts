import { Module } from '@nestjs/common';
import { provideGenServer } from 'nestjs-genserver';
import { NamingController } from './naming.controller.js';
import { Profile } from './profile.server.js';
import { UserDirectory } from './user-directory.js';

@Module({
  providers: [
    UserDirectory,
    // Registered under the class.
    Profile,
    // Registered in the name service that a cluster would share; with one node it is a table of this Node process.
    provideGenServer(Profile, { name: { global: 'profile' }, args: ['every node'] }),
    // Those of the users are started while the application runs: see the controller.
  ],
  controllers: [NamingController],
})
export class NamingModule {}
