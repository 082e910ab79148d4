module.exports = require('azure-mobile-apps').table({ perUser: true, access: 'authenticated' });
