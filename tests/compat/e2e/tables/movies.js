var columns = { title: 'string', duration: 'number', mpaaRating: 'string', releaseDate: 'date', bestPictureWinner: 'boolean', year: 'number' };
module.exports = {
  columns: columns,
  dynamicSchema: false,
  seed: require('../movies.json').map(function (movie, at) { return Object.assign({ id: 'Movie ' + ('00' + at).slice(-3) }, movie); })
};
