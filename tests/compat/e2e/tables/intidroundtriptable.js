module.exports = { autoIncrement: true };
