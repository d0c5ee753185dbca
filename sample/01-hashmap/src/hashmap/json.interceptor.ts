import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { map, type Observable } from 'rxjs';

interface Typed {
  type(contentType: string): unknown;
}

/**
 * Sends every answer as JSON. Nest alone would send strings as text and null as nothing, and a reader could not tell the
 * number 1 from the string "1".
 */
@Injectable()
export class JsonInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<string | undefined> {
    const response = context.switchToHttp().getResponse<Typed>();
    return next.handle().pipe(
      map((answer) => {
        if (answer === undefined) return undefined; // a cast: there is nothing to send
        response.type('application/json');
        return JSON.stringify(answer);
      }),
    );
  }
}
