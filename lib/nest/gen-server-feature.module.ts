import { Module } from '@nestjs/common';

/** Carries the servers of one `forFeature()` to the module that imports it. */
@Module({})
export class GenServerFeatureModule {}
