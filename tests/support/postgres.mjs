// A PostgreSQL of the test's own, as tests/support/postgres_server.h has it for the tests in C++. When this process
// ends, however it ends, the server ends and its directory goes.
import {execFileSync, spawn} from 'node:child_process';
import {dirname, join} from 'node:path';
import readline from 'node:readline';
import {fileURLToPath} from 'node:url';

const keeper = join(dirname(fileURLToPath(import.meta.url)), 'postgres_server.mjs');

export class PostgresServer {
  #asked = [];

  constructor(args) {
    this.keeper = spawn(process.execPath, [keeper, ...args], {stdio: ['pipe', 'pipe', 'inherit'], detached: true});
    this.gone = new Promise((done) => this.keeper.once('exit', done));
    this.gone.then(() => { for (const {fail} of this.#asked.splice(0)) fail(new Error('the keeper of PostgreSQL ended')); });
    this.keeper.stdin.on('error', () => {});  // it ended; whoever asked is told above
    readline.createInterface({input: this.keeper.stdout}).on('line', (line) => {
      const {done, fail} = this.#asked.shift();
      if (!this.#asked.length) this.#held(false);
      if (/^ok( |$)/.test(line)) done(line.slice(3)); else fail(new Error(`PostgreSQL: ${line}`));
    });
  }

  /** The server does not keep this process alive, an answer that is waited for does. */
  #held(yes) {
    for (const handle of [this.keeper, this.keeper.stdin, this.keeper.stdout]) yes ? handle.ref() : handle.unref();
  }

  #ask(command) {
    return new Promise((done, fail) => {
      if (this.keeper.exitCode !== null || this.keeper.signalCode !== null) return fail(new Error('the keeper of PostgreSQL ended'));
      this.#held(true);
      this.#asked.push({done, fail});
      if (command) this.keeper.stdin.write(`${command}\n`);
    });
  }

  async ready() {
    [this.port, this.password, this.directory] = (await this.#ask()).split(' ');
    return this;
  }

  /** As the superuser `postgres`, over TCP with SCRAM. */
  url(database = 'postgres') { return `postgres://postgres:${this.password}@127.0.0.1:${this.port}/${database}`; }
  /** A new empty database, owned by the ordinary user `mandate`; its URL as that user. */
  createDatabase() { return this.#ask('database'); }
  dropDatabase(url) { return this.#ask(`drop ${new URL(url).pathname.slice(1)}`); }
  get certificate() { return join(this.directory, 'server.crt'); }

  /** 'fast' or 'immediate'. */
  stop(how = 'fast') { return this.#ask(`stop ${how}`); }
  /** All its processes at once by SIGKILL, as when its machine dies. The data stays. */
  kill() { return this.#ask('kill9'); }
  /** After stop() or kill(): on the same data and port. */
  start() { return this.#ask('start'); }
  /** As when its machine hangs. */
  pause() { return this.#ask('signal STOP'); }
  resume() { return this.#ask('signal CONT'); }
  /** A line for postgresql.conf, read at once by a running server. */
  configure(line) { return this.#ask(`configure ${line}`); }

  /** A copy that follows this server; `name` is what synchronous_standby_names calls it. */
  standby({name = 'standby', ...options} = {}) { return startPostgres({...options, more: [`--standby-of=${this.url()}`, `--name=${name}`]}); }
  /** Makes a standby take writes. */
  promote() { return this.#ask('promote'); }

  /** What psql prints for a statement, unaligned. For a test's own questions; blocks. */
  sql(statement, url = this.url()) {
    return execFileSync('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', url, '-c', statement], {encoding: 'utf8', stdio: 'pipe'}).trim();
  }

  /** Stops the server and removes its directory; the end of the process does the same. */
  end() { this.keeper.ref(); this.keeper.stdin.end(); return this.gone; }
}

/** `settings`: lines of postgresql.conf. `fsync` off is faster, and as good as long as the machine itself does not die. */
export function startPostgres({fsync = false, tls = false, settings = [], more = []} = {}) {
  return new PostgresServer([...(fsync ? ['--fsync'] : []), ...(tls ? ['--tls'] : []), ...settings.map((line) => `--set=${line}`), ...more]).ready();
}

let shared;
/** The one of this process, started on first use. Not for tests that stop it. */
export const sharedPostgres = () => (shared ??= startPostgres());
