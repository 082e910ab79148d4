import { hello } from '../lib/words.mjs';
export const get = async (request, response) => { response.json({ hello: hello((await import('../lib/words.mjs')).default) }); };
