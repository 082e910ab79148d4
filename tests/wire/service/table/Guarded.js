export function beforeInsert(ctx) {
  if (ctx.item.text === 'no') ctx.respond(400, { error: 'not that' });
  ctx.item.level = ctx.user.level;
}
export async function afterRead(ctx) {
  for (const row of [ctx.result].flat()) row.seen = true;
}
