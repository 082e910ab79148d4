module.exports = {
  columns: require('./movies').columns,
  autoIncrement: true,
  dynamicSchema: false,
  seed: require('../movies.json')
};
