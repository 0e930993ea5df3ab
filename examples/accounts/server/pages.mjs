// The shop's pages.

export function signInPage(problem = '') {
  return layout(
    'Sign in',
    `<form method="post" action="/sign-in">
      <label>User name <input name="username"></label>
      <label>Password <input name="password" type="password"></label>
      <button>Sign in</button>
    </form>
    <p role="alert">${problem}</p>`,
  );
}

export function frontPage(user, prices) {
  const rows = Object.entries(prices).map(([item, cents]) => `<li>${item}: ${(cents / 100).toFixed(2)}</li>`);
  return layout(
    'Shop',
    `<p role="status">Signed in as ${user}</p>
    <ul>${rows.join('')}</ul>
    <form method="post" action="/basket"><button>New basket</button></form>`,
  );
}

export function basketPage(items, prices) {
  const sum = items.reduce((cents, item) => cents + prices[item], 0);
  const buttons = Object.keys(prices).map(
    (item) => `<button name="item" value="${item}">Add ${item}</button>`,
  );
  return layout(
    'Basket',
    `<p role="status">Items: ${items.length}, total: ${(sum / 100).toFixed(2)}</p>
    <form method="post" action="/basket/items">${buttons.join('')}</form>
    <form method="post" action="/basket/order"><button>Order</button></form>`,
  );
}

export function adminPage() {
  return layout('Revenue', '<p role="status">1,234.50 this week</p>');
}

function layout(title, body) {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>
    <link rel="icon" href="data:,"><body><h1>${title}</h1>${body}</body></html>`;
}
