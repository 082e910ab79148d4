module.exports = { access: 'anonymous' };
