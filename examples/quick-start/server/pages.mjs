// The service's few pages: a list of orders, and one that a script fills in.

export function ordersPage({ total, page, size, orders }) {
  const rows = orders.map(
    (order) => `<tr><td>${escape(order.id)}</td><td>${escape(order.customer)}</td>
      <td>${(order.cents / 100).toFixed(2)}</td><td>${order.status}</td></tr>`,
  );
  const pages = Math.ceil(total / size);
  return layout(
    'Orders',
    `<h1>Orders</h1>
    <p role="status">${total} orders, page ${page} of ${pages}</p>
    <table><thead><tr><th>Order</th><th>Customer</th><th>Total</th><th>Status</th></tr></thead>
    <tbody>${rows.join('\n')}</tbody></table>
    ${page < pages ? `<a href="/shop/orders?page=${page + 1}">Next page</a>` : ''}
    <a href="/shop/new">New order</a>`,
  );
}

export function newOrderPage(products) {
  const options = products.map(
    (product) => `<option value="${product.sku}">${escape(product.name)}</option>`,
  );
  return layout(
    'New order',
    `<h1>New order</h1>
    <form>
      <label>Customer <input name="customer"></label>
      <label>Product <select name="sku">${options.join('')}</select></label>
      <button>Order</button>
    </form>
    <p role="status"></p>
    <script>
      document.querySelector('form').addEventListener('submit', async (event) => {
        event.preventDefault();
        const data = new FormData(event.target);
        const body = { customer: data.get('customer'), items: [{ sku: data.get('sku'), quantity: 1 }] };
        const response = await fetch('/orders', { method: 'POST', body: JSON.stringify(body) });
        const answer = await response.json();
        document.querySelector('[role=status]').textContent =
          response.ok ? 'Ordered: ' + answer.id : Object.entries(answer.fields).flat().join(' ');
      });
    </script>`,
  );
}

function layout(title, body) {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>
    <link rel="icon" href="data:,"><body>${body}</body></html>`;
}

function escape(text) {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
