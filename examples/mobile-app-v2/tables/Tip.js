module.exports = {
  seed: [
    { id: 'swipe', text: 'Swipe an item to complete it.' },
    { id: 'offline', text: 'It works without a network, too.' }
  ],
  insert: { access: 'disabled' },
  update: { access: 'disabled' },
  delete: { access: 'disabled' }
};
