import type { LoggerService } from '@nestjs/common';

export const droppedLines: LoggerService;
