// What the suite may try: everything.
module.exports.get = function (req, res) {
  res.json({
    runtime: { type: 'node.js', version: process.version },
    features: { intIdTables: true, stringIdTables: true, nodeRuntimeOnly: true, dotNetRuntimeOnly: false, stringReplace: true, nhPushEnabled: false }
  });
};
