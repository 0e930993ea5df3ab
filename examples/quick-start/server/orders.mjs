// The data and the rules of the orders service, the same behind every replica.

const PRODUCTS = [
  { sku: 'tea-green', name: 'Green tea', cents: 450, category: 'tea' },
  { sku: 'tea-black', name: 'Black tea', cents: 400, category: 'tea' },
  { sku: 'coffee-dark', name: 'Dark roast', cents: 900, category: 'coffee' },
  { sku: 'coffee-light', name: 'Light roast', cents: 950, category: 'coffee' },
  { sku: 'mug-blue', name: 'Blue mug', cents: 1200, category: 'mugs' },
  { sku: 'mug-sold-out', name: 'White mug', cents: 1100, category: 'mugs', soldOut: true },
];

const SEEDED = 42;
const MAX_SIZE = 50;

/** A refusal that the caller can mend: its status and what is wrong with which field. */
export class Refusal extends Error {
  constructor(status, error, fields = {}) {
    super(error);
    this.status = status;
    this.body = { error, ...(Object.keys(fields).length > 0 ? { fields } : {}) };
  }
}

export function createOrders() {
  const orders = new Map();
  let next = 1;
  for (let index = 0; index < SEEDED; index++) {
    const product = PRODUCTS[index % 5];
    add({ customer: `seed-${index % 6}`, items: [{ sku: product.sku, quantity: 1 + (index % 3) }] });
  }

  function add({ customer, items, note = '' }) {
    const lines = items.map(({ sku, quantity }) => ({ sku, quantity, cents: priceOf(sku) * quantity }));
    const cents = lines.reduce((sum, line) => sum + line.cents, 0);
    const order = { id: `o-${next++}`, customer, items: lines, cents, note, status: 'open' };
    orders.set(order.id, order);
    return order;
  }

  function find(id) {
    const order = orders.get(id);
    if (!order) throw new Refusal(404, `no order ${id}`);
    return order;
  }

  return {
    products: (category) => PRODUCTS.filter((product) => !category || product.category === category),
    product: (sku) => {
      const product = PRODUCTS.find((one) => one.sku === sku);
      if (!product) throw new Refusal(404, `no product ${sku}`);
      return product;
    },
    list: (query) => {
      const { page, size } = pageOf(query);
      const status = query.get('status');
      const customer = query.get('customer');
      if (status && !['open', 'cancelled'].includes(status)) {
        throw new Refusal(422, 'invalid', { status: 'is neither open nor cancelled' });
      }
      const fitting = [...orders.values()].filter(
        (order) => (!status || order.status === status) && (!customer || order.customer === customer),
      );
      return { total: fitting.length, page, size, orders: fitting.slice((page - 1) * size, page * size) };
    },
    read: find,
    create: (body) => add(checked(body)),
    update: (id, body) => {
      const order = find(id);
      if (order.status === 'cancelled') throw new Refusal(409, `order ${id} is cancelled`);
      if (body.customer !== undefined) throw new Refusal(422, 'invalid', { customer: 'cannot be changed' });
      if (typeof body.note !== 'string' || body.note.length > 200) {
        throw new Refusal(422, 'invalid', { note: 'is a text of at most 200 characters' });
      }
      order.note = body.note;
      return order;
    },
    cancel: (id) => {
      const order = find(id);
      if (order.status === 'cancelled') throw new Refusal(409, `order ${id} is cancelled`);
      order.status = 'cancelled';
      return order;
    },
    csv: () =>
      ['id,customer,cents,status']
        .concat([...orders.values()].map((o) => `${o.id},${o.customer},${o.cents},${o.status}`))
        .join('\n'),
  };
}

function priceOf(sku) {
  return PRODUCTS.find((product) => product.sku === sku).cents;
}

function pageOf(query) {
  const page = Number(query.get('page') ?? 1);
  const size = Number(query.get('size') ?? 10);
  const fields = {};
  if (!Number.isInteger(page) || page < 1) fields.page = 'is a whole number from 1';
  if (!Number.isInteger(size) || size < 1 || size > MAX_SIZE)
    fields.size = `is a whole number from 1 to ${MAX_SIZE}`;
  if (Object.keys(fields).length > 0) throw new Refusal(422, 'invalid', fields);
  return { page, size };
}

function checked(body) {
  const fields = {};
  if (typeof body.customer !== 'string' || body.customer.trim() === '') fields.customer = 'is missing';
  if (!Array.isArray(body.items) || body.items.length === 0) fields.items = 'has no item';
  for (const [index, item] of (Array.isArray(body.items) ? body.items : []).entries()) {
    const product = PRODUCTS.find((one) => one.sku === item.sku);
    if (!product) fields[`items[${index}].sku`] = 'is not a product';
    else if (product.soldOut) fields[`items[${index}].sku`] = 'is sold out';
    if (!Number.isInteger(item.quantity) || item.quantity < 1)
      fields[`items[${index}].quantity`] = 'is at least 1';
  }
  if (Object.keys(fields).length > 0) throw new Refusal(422, 'invalid', fields);
  return body;
}
