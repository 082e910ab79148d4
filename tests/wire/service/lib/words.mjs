export const hello = (name) => `hello ${name}`;
export default 'modern';
