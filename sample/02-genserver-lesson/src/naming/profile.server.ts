import { GenServer, GenServerBase, HandleCall, HandleInfo, noReply, ok, reply } from 'nestjs-genserver';

export interface Nickname {
  readonly type: 'nickname';
  readonly nickname: string;
}

interface ProfileState {
  readonly owner: string;
  readonly nickname: string | null;
}

@GenServer()
export class Profile extends GenServerBase<ProfileState> {
  override init(owner = 'everybody') {
    return ok({ owner, nickname: null });
  }

  @HandleCall()
  whoAmI() {
    return reply({ ...this.state, pid: this.self.pid });
  }

  @HandleInfo('nickname')
  protected onNickname({ nickname }: Nickname) {
    return noReply({ ...this.state, nickname });
  }
}
