"""The words the demo organisation is made of."""

from typing import Final

TEAMS: Final = ("Ventas", "Soporte", "Cobros", "Retención", "Bienvenida", "Empresas")

FIRST_NAMES: Final = (
    *("María", "José", "Ana", "Luis", "Sofía", "Carlos", "Valeria", "Andrés", "Gabriela", "Diego"),
    *("Daniela", "Jorge", "Laura", "Esteban", "Paola", "Ricardo", "Mariana", "Felipe", "Lucía"),
    *("Adrián", "Karla", "Mauricio", "Natalia", "Óscar", "Silvia", "Gustavo", "Irene", "Pablo"),
    *("Rebeca", "Sergio", "Tatiana", "Víctor", "Ximena", "Álvaro", "Elena", "Rodrigo"),
)
LAST_NAMES: Final = (
    *("Rodríguez", "Vargas", "Jiménez", "Mora", "Rojas", "González", "Sánchez", "Hernández"),
    *("Ramírez", "Castro", "López", "Araya", "Alvarado", "Solano", "Quesada", "Chaves"),
    *("Monge", "Salas", "Brenes", "Calderón", "Fallas", "Ureña", "Zúñiga", "Esquivel"),
    *("Villalobos", "Montero", "Cordero", "Aguilar", "Navarro", "Picado", "Segura", "Badilla"),
)
COMPANIES: Final = (
    *("", "", "Café Tarrazú", "Ferretería El Roble", "Clínica Santa Ana", "Transportes del Sur"),
    *("Hotel Playa Hermosa", "Panadería La Espiga", "Agro Zarcero", "Librería Universal"),
    *("Taller Los Ángeles", "Óptica Visión", "Constructora Irazú", "Farmacia San José"),
    *("Textiles Heredia", "Lácteos del Valle", "Seguros Pacífico", "Viajes Tortuga"),
)
NOTES: Final = (
    "Pide que se le llame de nuevo mañana por la mañana.",
    "Quiere recibir la cotización por correo.",
    "Consulta por el estado de su pedido; resuelto.",
    "Cambió de dirección: actualizar la ficha.",
    "Interesado en el plan anual.",
    "Pagará el viernes.",
    "Solicita hablar con un supervisor.",
    "Número equivocado.",
    "Se envió el manual y quedó conforme.",
    "Prefiere que se le contacte por la tarde.",
)
