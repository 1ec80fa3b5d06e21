// The rules for the modules of the report's page, which run in a browser and nowhere else.

const js = require('@eslint/js');

// the names of the browser are checked by tsc, which knows all of them
module.exports = [
  js.configs.recommended,
  {
    rules: {
      'no-undef': 'off',
      'no-control-regex': 'off',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-var': 'error',
      'prefer-const': 'error',
    },
  },
];
