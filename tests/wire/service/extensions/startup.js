exports.startup = function (context, done) {
  process.env.started = 'yes';
  setTimeout(done, 1);
};
